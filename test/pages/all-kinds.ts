// A script of the emulator whose response has an item of every kind.
import type { StepParams } from "../../emulator/scripts/schema.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { DRAW_IMAGE } from "./python-requests.ts";

/** What the request of such a run asks for. */
export const ALL_KINDS_REQUEST = {
  input: "Compare the tides of three harbours, and keep the table",
  tools: CODE_INTERPRETER,
  include: ["web_search_call.action.sources", "file_search_call.results"],
};

/** A PNG of 160 by 100 pixels. */
export const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAKAAAABkAQMAAAA7eKnMAAAABlBMVEXW4vovVcy8wALWAAAAj0lEQVR42u2Ouw2AQAxDD1FQMgKjMBqMxiiMQEmBMM63okWiSKrI8bPTWk1NzT9mun3psacIbLaMOFvecdg2IxjecQWCNSLhBiIZuoRhQAYJZE1EIkggM8zQoM0he0UWBh0OaVMHCzod0iZFGHQHJE2KsImGHm7Q1ySIv45wg0UCja2L7+uQ4suUWGKJH4kP/LHaYn8RGp4AAAAASUVORK5CYII=";

/** The URL that the answer cites. */
const SOURCE_URL = "https://tides.example/tables/2026";
const CITED = `High water is latest in **Bremen** ([tides.example](${SOURCE_URL})).`;

const ANSWER = `## What the tables say

${CITED}

| Harbour | High water | Range |
| :-- | --: | --: |
| Bremen | 06:41 | 4.1 m |
| Emden | 05:02 | 3.2 m |
| Husum | 04:17 | 3.4 m |

1. The *range* grows upstream.
2. The table is kept as [harbours.csv](sandbox:/mnt/data/harbours.csv):
   - one row a harbour,
   - times in \`UTC\`.

> Times are those of the reference port.

\`\`\`python
range = high - low
\`\`\`

Not followed: [a script](javascript:alert(1)), <b>HTML</b>, [a lost file](sandbox:/mnt/data/lost.csv).`;

const PROGRESS = Array.from({ length: 20 }, (_, step) => `\\rloading ${step * 5}%`).join("");

const WRITE_TABLE = [
  'open("/mnt/data/harbours.csv", "w").write("harbour,high_water\\nBremen,06:41\\n")',
  `print("${PROGRESS}\\rloading done")`,
  'print("\\x1b[32mBremen\\x1b[0m 4.1 m")',
  'for hour in range(60): print("hour", hour)',
].join("\n");

/** The usage of the response. */
export const USAGE = {
  input_tokens: 1200,
  input_tokens_details: { cached_tokens: 800 },
  output_tokens: 450,
  output_tokens_details: { reasoning_tokens: 128 },
  total_tokens: 1650,
};

const CITED_END = ANSWER.indexOf(CITED) + CITED.length - 1;

/** The steps of the script. */
export const ALL_KINDS: StepParams[] = [
  { reasoning: ["**Looking for tables**\n\nThe harbours publish tide tables.", "Then compare."] },
  { item: { type: "reasoning", summary: [], encrypted_content: "gAAAA" } },
  { text: "I look the tables up first.", phase: "commentary" },
  {
    web_search: {
      query: "tide tables Bremen Emden Husum",
      sources: [SOURCE_URL, "https://harbours.example/emden", "javascript:alert(2)"],
    },
  },
  { web_search: { action: { type: "open_page", url: SOURCE_URL } } },
  { web_search: { action: { type: "find_in_page", url: SOURCE_URL, pattern: "high water" } } },
  {
    file_search: {
      queries: ["reference port"],
      results: [
        {
          filename: "harbours.md",
          score: 0.91,
          text: "Times are those of the reference port. ".repeat(20),
        },
        { filename: "notes.txt", score: 0.42, text: "Husum is tidal." },
      ],
    },
  },
  { code: WRITE_TABLE },
  { code: DRAW_IMAGE },
  {
    item: {
      type: "code_interpreter_call",
      status: "incomplete",
      code: 'import csv\r\nfor row in csv.reader(open("a.csv")):\r\n    total = 1\r\n',
      container_id: null,
      outputs: [],
    },
  },
  { image_generation: { result: PICTURE } },
  { item: { type: "image_generation_call", status: "generating", result: null } },
  {
    item: {
      type: "mcp_list_tools",
      server_label: "harbour",
      tools: [{ name: "tide_at", description: "The tide at a time", input_schema: {} }],
    },
  },
  {
    mcp_call: {
      server_label: "harbour",
      name: "tide_at",
      arguments: { harbour: "Bremen", hour: 6 },
      output: '{"level": 4.1, "unit": "m"}',
    },
  },
  { mcp_call: { server_label: "harbour", name: "tide_at", error: "No such harbour" } },
  {
    shell: {
      commands: ["sort harbours.csv", "cat missing.csv"],
      outputs: [
        { stdout: "Bremen,06:41\nharbour,high_water\n" },
        { stderr: "cat: missing.csv: No such file or directory\n", exit_code: 1 },
      ],
    },
  },
  {
    item: {
      type: "local_shell_call",
      call_id: "call_local",
      status: "completed",
      action: { type: "exec", command: ["ls", "-la"], env: {}, working_directory: "/tmp" },
    },
  },
  { function_call: { name: "save_table", arguments: { rows: 3 }, call_id: "call_save" } },
  { item: { type: "custom_tool_call", name: "shout", call_id: "call_shout", input: "tide!" } },
  {
    item: {
      type: "computer_call",
      call_id: "call_click",
      status: "completed",
      action: { type: "click", button: "left", x: 10, y: 20 },
      pending_safety_checks: [],
    },
  },
  {
    item: {
      type: "apply_patch_call",
      call_id: "call_patch",
      status: "completed",
      operation: { type: "update_file", path: "tides.py", diff: "@@\n-low\n+high\n" },
    },
  },
  {
    item: {
      type: "mcp_approval_request",
      server_label: "harbour",
      name: "close_gate",
      arguments: '{"gate": 2}',
    },
  },
  { item: { type: "compaction", encrypted_content: "gAAAA" } },
  { item: { type: "program", code: "1", fingerprint: "x" } },
  { refusal: "I can't open the gate." },
  {
    text: ANSWER,
    cites_files: true,
    annotations: [
      {
        type: "url_citation",
        url: SOURCE_URL,
        title: "Tide tables 2026",
        start_index: ANSWER.indexOf("([tides.example]"),
        end_index: CITED_END,
      },
      { type: "file_citation", file_id: "file-1", filename: "harbours.md", index: CITED_END },
    ],
  },
];
