import type { ResponseRecord } from "../../record/schema.ts";
import { formatBytes } from "../text/format.ts";
import { IsolatedText } from "../components/safe-text.tsx";

/** The files that the code wrote; empty when there are none. */
export function Files(props: { files: ResponseRecord["files"] }) {
  if (props.files.length === 0) return null;
  return (
    <section class="card" aria-labelledby="files">
      <h2 id="files">Files</h2>
      <ul class="files">
        {props.files.map((file) => (
          <li>
            <FileName file={file} />
            <span class="muted">
              {file.bytes === null ? "size unknown" : formatBytes(file.bytes)}
            </span>
            {file.reason === null ? null : (
              <span class="reason">
                Not copied: <IsolatedText text={file.reason} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function FileName(props: { file: ResponseRecord["files"][number] }) {
  const { filename, url } = props.file;
  if (url === null || url === "") return <IsolatedText text={filename} />;
  return (
    <a href={url} download>
      <IsolatedText text={filename} />
    </a>
  );
}
