// A response with an item of every kind. docs/emulator.md has the same script.
import type { EmulatorSettings } from "./emulator-client.ts";

/** Members that an item has at least. */
type Members = Record<string, unknown>;

interface KindCase {
  /** The step of the script that makes the items. */
  step: Members;
  /** The items as a client sees them who includes all that a GET may. */
  items: Members[];
  /** The items of a background run that lost their results; without it they have none to lose. */
  lost?: Members[];
}

const CSV = "hour,metres\n0,1.2\n12,4.2\n";
const CODE = `import matplotlib.pyplot as plt
open("tides.csv", "w").write(${JSON.stringify(CSV)})
print("highest:", max(1.2, 4.2))
plt.plot([1.2, 4.2])
plt.show()`;
const SOURCE = { type: "url", url: "https://example.com/tides" };
const SEARCH = { type: "search", query: "tide table", queries: ["tide table"] };
const RESULT = { file_id: "file-tides", filename: "tides.txt", score: 0.9, text: "High at noon." };
const TOOL = {
  name: "read_gauge",
  description: "Reads a tide gauge.",
  input_schema: { type: "object", properties: { gauge: { type: "integer" } } },
  annotations: null,
};
const MCP_ERROR = {
  type: "mcp_tool_execution_error",
  content: [{ type: "text", text: "Gauge 2 is out of service." }],
};
const TEXT =
  "## High tide\n\nIt is at **noon**: `4.2 m`, as [the table](https://example.com/tides) says.";
const ANNOTATIONS = [
  {
    type: "url_citation",
    url: "https://example.com/tides",
    title: "Tides",
    start_index: 45,
    end_index: 83,
  },
  { type: "file_citation", file_id: "file-tides", filename: "tides.txt", index: 12 },
];

/** The steps in their order, and what each adds to the output. */
const EVERY_KIND: KindCase[] = [
  {
    step: { reasoning: ["I look the tides up.", "Then I compute the highest."] },
    items: [
      {
        type: "reasoning",
        summary: [
          { type: "summary_text", text: "I look the tides up." },
          { type: "summary_text", text: "Then I compute the highest." },
        ],
      },
    ],
  },
  {
    step: { web_search: { query: "tide table", sources: [SOURCE.url] } },
    items: [{ type: "web_search_call", action: { ...SEARCH, sources: [SOURCE] } }],
    lost: [{ type: "web_search_call", action: SEARCH }],
  },
  {
    step: { web_search: { action: { type: "open_page", url: SOURCE.url } } },
    items: [{ type: "web_search_call", action: { type: "open_page", url: SOURCE.url } }],
  },
  {
    step: { file_search: { queries: ["high tide"], results: [RESULT] } },
    items: [{ type: "file_search_call", queries: ["high tide"], results: [RESULT] }],
    lost: [{ type: "file_search_call", queries: ["high tide"], results: [] }],
  },
  {
    step: { code: CODE },
    items: [
      {
        type: "code_interpreter_call",
        code: CODE,
        outputs: [{ type: "logs", logs: "highest: 4.2\n" }, { type: "image" }],
      },
    ],
    lost: [{ type: "code_interpreter_call", code: CODE, outputs: [] }],
  },
  {
    step: { item: { type: "mcp_list_tools", server_label: "harbour", tools: [TOOL] } },
    items: [{ type: "mcp_list_tools", server_label: "harbour", tools: [TOOL] }],
  },
  {
    step: {
      mcp_call: {
        server_label: "harbour",
        name: "read_gauge",
        arguments: '{"gauge":1}',
        output: "4.2 m",
      },
    },
    items: [
      { type: "mcp_call", status: "completed", name: "read_gauge", output: "4.2 m", error: null },
    ],
    lost: [
      { type: "mcp_call", status: "completed", name: "read_gauge", output: null, error: null },
    ],
  },
  {
    step: {
      mcp_call: {
        server_label: "harbour",
        name: "read_gauge",
        arguments: '{"gauge":2}',
        error: "Gauge 2 is out of service.",
      },
    },
    items: [
      { type: "mcp_call", status: "failed", name: "read_gauge", output: null, error: MCP_ERROR },
    ],
    lost: [{ type: "mcp_call", status: "failed", name: "read_gauge", output: null, error: null }],
  },
  {
    step: {
      item: {
        type: "mcp_approval_request",
        server_label: "harbour",
        name: "open_lock",
        arguments: '{"lock":3}',
      },
    },
    items: [{ type: "mcp_approval_request", name: "open_lock", arguments: '{"lock":3}' }],
  },
  {
    step: { image_generation: {} },
    // A PNG of one pixel in Base64, whose text the emulator chooses.
    items: [{ type: "image_generation_call", status: "completed" }],
    lost: [{ type: "image_generation_call", status: "completed", result: null }],
  },
  {
    step: {
      shell: {
        commands: ["wc -l tides.csv", "cat none.csv"],
        outputs: [
          { stdout: "3 tides.csv\n" },
          { stderr: "cat: none.csv: No such file or directory\n", exit_code: 1 },
        ],
        files: { "lines.txt": "3\n" },
      },
    },
    items: [
      { type: "shell_call", action: { commands: ["wc -l tides.csv", "cat none.csv"] } },
      {
        type: "shell_call_output",
        output: [
          { stdout: "3 tides.csv\n", stderr: "", outcome: { type: "exit", exit_code: 0 } },
          {
            stdout: "",
            stderr: "cat: none.csv: No such file or directory\n",
            outcome: { type: "exit", exit_code: 1 },
          },
        ],
      },
    ],
    lost: [{ type: "shell_call", action: { commands: ["wc -l tides.csv", "cat none.csv"] } }],
  },
  {
    step: { text: TEXT, annotations: ANNOTATIONS, cites_files: true },
    items: [
      {
        type: "message",
        content: [
          {
            type: "output_text",
            text: `${TEXT}\n[tides.csv](sandbox:/mnt/data/tides.csv)\n[lines.txt](sandbox:/mnt/data/lines.txt)`,
            annotations: [
              ...ANNOTATIONS,
              { type: "container_file_citation", filename: "tides.csv" },
              { type: "container_file_citation", filename: "lines.txt" },
            ],
          },
        ],
      },
    ],
  },
  {
    step: { refusal: "I can't predict next year's tides." },
    items: [
      {
        type: "message",
        content: [{ type: "refusal", refusal: "I can't predict next year's tides." }],
      },
    ],
  },
  {
    step: {
      function_call: { name: "book_boat", arguments: '{"hour":12}', call_id: "call_boat" },
    },
    items: [
      {
        type: "function_call",
        name: "book_boat",
        arguments: '{"hour":12}',
        call_id: "call_boat",
      },
    ],
  },
  {
    step: {
      item: {
        type: "custom_tool_call",
        status: "completed",
        name: "write_log",
        input: "high tide at noon",
        call_id: "call_log",
      },
    },
    items: [
      {
        type: "custom_tool_call",
        name: "write_log",
        input: "high tide at noon",
        call_id: "call_log",
      },
    ],
  },
  {
    step: { item: { type: "compaction", encrypted_content: "gAAAAemulator" } },
    items: [{ type: "compaction", encrypted_content: "gAAAAemulator" }],
  },
  {
    step: { item: { type: "tide_prediction", status: "completed", hour: 12 } },
    items: [{ type: "tide_prediction", status: "completed", hour: 12 }],
  },
];

/** The steps of the script, as `addScript` of the emulator's client takes them. */
export const EVERY_KIND_STEPS = EVERY_KIND.map(({ step }) => step);

/** The values of `include` that show all of it. */
export const EVERY_KIND_INCLUDE = [
  "code_interpreter_call.outputs",
  "file_search_call.results",
  "web_search_call.action.sources",
] as const;

/** A request with the tools that the items are of. */
export const EVERY_KIND_REQUEST = {
  model: "gpt-5.2",
  input: "Answer with an item of every kind.",
  include: [...EVERY_KIND_INCLUDE],
  tools: [
    { type: "code_interpreter" as const, container: { type: "auto" as const } },
    { type: "web_search" as const },
    { type: "file_search" as const, vector_store_ids: ["vs_tides"] },
    {
      type: "mcp" as const,
      server_label: "harbour",
      server_url: "https://harbour.example/mcp",
    },
    { type: "image_generation" as const },
    { type: "shell" as const, environment: { type: "container_auto" as const } },
    {
      type: "function" as const,
      name: "book_boat",
      strict: false,
      parameters: { type: "object", properties: { hour: { type: "integer" } } },
    },
    { type: "custom" as const, name: "write_log" },
  ],
};

/** The output with every result, to be matched as a part of it. */
export const EVERY_KIND_OUTPUT = EVERY_KIND.flatMap(({ items }) => items);

/** The output of a background run under `LOSE_EVERY_RESULT`. */
export const EVERY_KIND_LOST_OUTPUT = EVERY_KIND.flatMap(({ items, lost }) => lost ?? items);

/** Files of the run's container, by their paths. */
export const EVERY_KIND_FILES = { "/mnt/data/tides.csv": CSV, "/mnt/data/lines.txt": "3\n" };

/** Settings by which a background run loses every result, wherever a client reads it. */
export const LOSE_EVERY_RESULT = {
  backgroundOutputs: "empty",
  backgroundSources: "absent",
  backgroundResults: "empty",
  backgroundImages: "empty",
  backgroundMcpOutputs: "empty",
  backgroundShellOutputs: "absent",
  streamOutputs: "empty",
  streamSources: "absent",
  streamResults: "empty",
  streamImages: "empty",
  streamMcpOutputs: "empty",
  streamShellOutputs: "absent",
  conversationOutputs: "empty",
  conversationSources: "absent",
  conversationResults: "empty",
  conversationImages: "empty",
  conversationMcpOutputs: "empty",
  conversationShellOutputs: "absent",
} satisfies EmulatorSettings;
