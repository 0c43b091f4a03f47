// A picture that a route of this Worker serves, with its size and a name to keep it under.
import { formatBytes } from "../text/format.ts";
import { detectImage, toExtension } from "../text/images/image.ts";
import { IsolatedText } from "./safe-text.tsx";

/** Characters of a URL that is not shown as an image. */
const MAX_URL_LENGTH = 60;

type Props = {
  /** A data URL or base64, or its beginning: what the picture is. */
  source: string;
  /** Where it is served. */
  href: string;
  alt: string;
  /** Its name, without an ending. */
  filename: string;
  bytes?: number;
};

/** A picture. */
export function Picture(props: Props) {
  const info = detectImage(props.source);
  if (info === null) return <NoPicture source={props.source} />;
  const { type, size } = info;
  const facts = [
    toExtension(type).toUpperCase(),
    size === null ? "" : `${size.width} × ${size.height}`,
    props.bytes === undefined ? "" : formatBytes(props.bytes),
  ];
  return (
    <figure>
      <a class="image" href={props.href}>
        <img
          src={props.href}
          alt={props.alt}
          width={size?.width}
          height={size?.height}
          loading="lazy"
        />
      </a>
      <figcaption>
        {facts.filter((fact) => fact !== "").join(", ")}{" "}
        <a href={props.href} download={`${props.filename}.${toExtension(type)}`}>
          Download
        </a>
      </figcaption>
    </figure>
  );
}

function NoPicture(props: { source: string }) {
  return (
    <p class="placeholder">
      This image is not shown: only PNG, JPEG, GIF and WebP inside the response are. It begins with{" "}
      <code>
        <IsolatedText text={props.source.slice(0, MAX_URL_LENGTH)} />
      </code>
    </p>
  );
}
