import * as fc from "fast-check";
import { renderToString } from "hono/jsx/dom/server";
import { expect, test } from "vitest";
import { readPageResponse } from "../../../support/page-response.ts";
import { toEntries } from "../../../../src/views/items/entries.ts";
import { Item } from "../../../../src/views/items/item.tsx";
import { runs } from "../../../support/property-runs.ts";

const TYPES = [
  ..."message reasoning code_interpreter_call file_search_call web_search_call image_generation_call".split(
    " ",
  ),
  ..."mcp_call mcp_list_tools mcp_approval_request shell_call shell_call_output local_shell_call".split(
    " ",
  ),
  ..."function_call custom_tool_call computer_call apply_patch_call compaction other toString".split(
    " ",
  ),
];
const NAMES = [
  ..."id status phase content text refusal annotations summary code outputs logs url action query".split(
    " ",
  ),
  ..."queries sources pattern results filename score result revised_prompt server_label name tools".split(
    " ",
  ),
  ..."error output arguments commands environment stdout stderr outcome exit_code call_id input".split(
    " ",
  ),
  ..."operation path diff actions pending_safety_checks title start_index file_id cut end bytes".split(
    " ",
  ),
];

const words = fc.constantFrom(
  ...TYPES,
  ..."search open_page find_in_page output_text refusal url_citation logs image exit container_reference".split(
    " ",
  ),
  "<script>alert(1)</script>",
  '" onclick="alert(1)',
  "[x](javascript:alert(1))",
  "https://example.com/",
  "data:image/png;base64,iVBORw0KGgo=",
  "",
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    words,
    fc.constantFrom(null, true, 0, -1, 1.5, 1e300),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("type", ...NAMES), tie("value"), { maxKeys: 6 }),
  ),
}));
const list = (element: fc.Arbitrary<unknown>) => fc.array(element, { maxLength: 3 });
/** Fields as their types have them, with any words in them. */
const shapes = fc.record(
  {
    content: list(
      fc.record({
        type: words,
        text: fc.array(words, { maxLength: 5 }).map((parts) => parts.join(" ")),
        annotations: list(
          fc.record({
            type: fc.constantFrom("url_citation", "file_citation", "file_path"),
            url: words,
            title: words,
            file_id: words,
            start_index: fc.nat(9),
            end_index: fc.nat(9),
          }),
        ),
      }),
    ),
    action: fc.record({ type: words, url: words, sources: list(fc.record({ url: words })) }),
    outputs: list(fc.record({ type: fc.constantFrom("logs", "image"), logs: words, url: words })),
    result: words,
    output: list(fc.record({ stdout: words, stderr: words, outcome: fc.record({ type: words }) })),
  },
  { requiredKeys: [] },
);
const fields = fc.oneof(shapes, fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 8 }));
const items = fc.array(
  fc.tuple(fc.constantFrom(...TYPES), fields).map(([type, rest]) => ({ ...rest, type })),
  { maxLength: 4 },
);

const PAGE = { id: "resp_1", files: [], maxBytes: 1_000, maxMessageBytes: 1_000 };

test("Item shows any item of any type, with or without what its type should have", () => {
  fc.assert(
    fc.property(items, (output) => {
      const response = readPageResponse(new TextEncoder().encode(JSON.stringify({ output })));
      for (const entry of toEntries({ calls: [], control: null }, response)) {
        const html = renderToString(
          <Item entry={entry} name="item-1" page={PAGE} isCompared={false} hasEnded />,
        );
        expect(html).toMatch(/^<li class="item [^]*<\/li>$/);
        expect(html).not.toMatch(/<script|<[^>]* onclick|href="(?!https?:|\/results\/|#)/);
      }
    }),
    runs(1_500),
  );
});
