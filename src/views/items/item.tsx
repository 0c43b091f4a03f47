// One item of a response: what it is, what was asked, and what came. With a control, what came stands beside what came there.
import * as z from "zod";
import { Chip } from "../components/chip.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { CALL_VERDICTS, CHANNELS, statusTone } from "../text/labels.ts";
import { Sides } from "./compared.tsx";
import { toCallId, type Entry } from "./entries.ts";
import { parseFields, text } from "./fields.ts";
import { ItemIcon } from "./icon.tsx";
import { findKind, type ItemKind } from "./kinds.tsx";
import { toResponseUrl, type PageContext, type PartProps } from "./part.ts";

const Head = z.looseObject({ status: text, phase: text });

type Props = {
  entry: Entry;
  name: string;
  page: PageContext;
  /** Whether the run has a control that made calls. */
  isCompared: boolean;
  /** Whether the run has ended, so that only the caller can go on. */
  hasEnded: boolean;
};

/** An item of the list. */
export function Item(props: Props) {
  const { entry, name, page } = props;
  const kind = findKind(entry.item);
  if (kind?.Request === undefined) return <ItemLine {...props} kind={kind} />;
  const part: PartProps = { ...entry, other: entry.control, isControl: false, name, page };
  const { Request, Result } = kind;
  const isCompared = props.isCompared && (entry.call ?? entry.control) !== null;
  return (
    <li class={`item kind-${kind.icon}`} id={name}>
      <ItemIcon name={kind.icon} />
      <div class="item-body">
        <ItemHead entry={entry} kind={kind} />
        {isCompared && Result !== undefined ? (
          <Sides part={part} control={entry.control} Request={Request} Result={Result} />
        ) : (
          <>
            <Request {...part} />
            {Result === undefined ? null : <Result {...part} />}
          </>
        )}
        {props.hasEnded ? <Waiting entry={entry} kind={kind} /> : null}
        {entry.item.isPart ? (
          <p class="note">
            Not all of this item is shown. <a href={toResponseUrl(page)}>The raw response</a>
          </p>
        ) : null}
      </div>
    </li>
  );
}

// An item without content, or of a type that the page does not know.
function ItemLine({ entry, kind, name, page }: Props & { kind: ItemKind | undefined }) {
  return (
    <li class="item line" id={name}>
      <ItemIcon name="line" />
      <p class="item-body">
        {kind === undefined ? (
          <>
            An item of type{" "}
            <code>
              <IsolatedText text={entry.item.type} />
            </code>
          </>
        ) : (
          String(kind.title)
        )}{" "}
        <a href={toResponseUrl(page)}>Raw JSON</a>
      </p>
    </li>
  );
}

function ItemHead({ entry, kind }: { entry: Entry; kind: ItemKind }) {
  const { item, call, number } = entry;
  const { status: shown, phase } = parseFields(Head, item.value);
  // The record has the call's last status, also where the item has none.
  const status = call?.status ?? shown;
  const title = typeof kind.title === "string" ? kind.title : kind.title(item);
  const subject = kind.subject?.(item) ?? "";
  const verdict = call?.verdict ?? null;
  return (
    <>
      <div class="row item-head">
        <h3 id={number === null ? undefined : `call-${number}`}>
          {phase === "commentary" ? "Commentary" : title}
          {number === null ? "" : `, call ${number}`}
        </h3>
        {number === null ? null : (
          <a class="anchor" href={`#call-${number}`} aria-label={`Link to call ${number}`}>
            #
          </a>
        )}
        {subject === "" ? null : (
          <code class="subject">
            <IsolatedText text={subject} />
          </code>
        )}
        {verdict === null ? null : <Chip tone={CALL_VERDICTS[verdict].tone}>{verdict}</Chip>}
        {status === null || status === "completed" ? null : (
          <Chip tone={statusTone(status)}>{status}</Chip>
        )}
        {item.id === null || number === null ? null : <code class="muted id">{item.id}</code>}
      </div>
      {call === null ? null : <CallExplanation call={call} />}
    </>
  );
}

function CallExplanation({
  call: { verdict, source, hint },
}: {
  call: NonNullable<Entry["call"]>;
}) {
  if (verdict === null && source === null) return null;
  return (
    <>
      <p class="explanation">
        {verdict === null ? null : CALL_VERDICTS[verdict].meaning}
        {source === null ? null : ` It comes from a check that ${CHANNELS[source]}.`}
      </p>
      {hint === null ? null : (
        <p class="note">
          <IsolatedText text={hint} />
        </p>
      )}
    </>
  );
}

// OpenAI ends a response with a call that the caller's program has to answer.
function Waiting({ entry: { item, output }, kind }: { entry: Entry; kind: ItemKind }) {
  const answer = typeof kind.answer === "function" ? kind.answer(item) : kind.answer;
  if (answer === undefined || answer === null || output !== null) return null;
  const callId = toCallId(item);
  const [member, id] = callId === null ? ["approval_request_id", item.id] : ["call_id", callId];
  return (
    <p class="waits">
      It waits for an answer: an item of type <code>{answer}</code> with the {member}{" "}
      <code>
        <IsolatedText text={id ?? "of this item"} />
      </code>
      , in a request that continues this response.
    </p>
  );
}
