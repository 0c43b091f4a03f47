// A call beside the same call of the control.
import type { Child } from "hono/jsx";
import { Chip } from "../components/chip.tsx";
import type { Call } from "../../record/schema.ts";
import { toOutputsKey } from "./code-interpreter.tsx";
import { CODE_INTERPRETER } from "../../record/calls/item-kinds.ts";
import { toCallItem, toResultItem } from "./entries.ts";
import type { PartProps } from "./part.ts";

type Part = (props: PartProps) => Child;
type Props = { part: PartProps; control: Call | null; Request: Part; Result: Part };

/** What was asked, once if it is the same, and what came on both sides. */
export function Sides(props: Props) {
  const { part, control, Request } = props;
  const background = part.call;
  const isPair = background !== null && control !== null;
  const isSame = isPair && toRequestKey(background) === toRequestKey(control);
  const hasSameResult = isPair && toResultKey(background) === toResultKey(control);
  return (
    <>
      {!isPair ? null : (
        <div class="row">
          <Chip tone={isSame ? "neutral" : "warn"}>{toRequestName(part.item.type, isSame)}</Chip>
          <OutputsChip isSame={hasSameResult} />
        </div>
      )}
      {isSame ? <Request {...part} /> : null}
      <div class={hasSameResult ? "sides" : "sides differ"}>
        <Side
          {...props}
          title="Background"
          part={background === null ? null : part}
          hasRequest={!isSame}
        />
        <Side
          {...props}
          title="Foreground (control)"
          part={toControlPart(part, control)}
          hasRequest={!isSame}
        />
      </div>
    </>
  );
}

function toRequestName(type: string, isSame: boolean): string {
  const name = type === CODE_INTERPRETER.type ? "code" : "request";
  return isSame ? `identical ${name}` : `${name} differs`;
}

function toRequestKey({ code, request }: Call): string {
  return code ?? JSON.stringify(request);
}

function toResultKey({ type, outputs, result }: Call): string {
  return type === CODE_INTERPRETER.type ? toOutputsKey(outputs) : JSON.stringify(result);
}

function OutputsChip(props: { isSame: boolean }) {
  return (
    <Chip tone={props.isSame ? "good" : "bad"}>
      {props.isSame ? "same outputs" : "outputs differ"}
    </Chip>
  );
}

function Side(
  props: Omit<Props, "part"> & { part: PartProps | null; title: string; hasRequest: boolean },
) {
  const { part, title, hasRequest, Request, Result } = props;
  return (
    <div class="side">
      <h4 class="side-title">{title}</h4>
      {part === null ? <p class="placeholder">No call at this position.</p> : null}
      {part !== null && hasRequest ? <Request {...part} /> : null}
      {part === null ? null : <Result {...part} />}
    </div>
  );
}

function toControlPart(part: PartProps, control: Call | null): PartProps | null {
  if (control === null) return null;
  return {
    ...part,
    item: toCallItem(control),
    output: toResultItem(control),
    call: control,
    other: part.call,
    isControl: true,
    name: `${part.name}-control`,
  };
}
