// Sends requests below /v1 of a test's Worker.
import { z } from "zod";
import { CODE_INTERPRETER } from "../../support/inputs.ts";
import { waitFor } from "../../support/wait.ts";
import { TOKEN } from "../../support/world.ts";

/** The query that asks for outputs. */
export const INCLUDE_OUTPUTS = "include[]=code_interpreter_call.outputs";
export const EXAMPLE = {
  model: "gpt-5.2",
  input: "Run Python that prints exactly: BG_STDOUT_OK",
  tools: CODE_INTERPRETER,
  include: ["code_interpreter_call.outputs"],
};
export const EXAMPLE_OUTPUTS = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

export const ApiResponse = z.looseObject({
  id: z.string(),
  status: z.string(),
  output: z.array(z.looseObject({ outputs: z.unknown().optional() })),
});
export type ApiResponse = z.infer<typeof ApiResponse>;

/** An error in OpenAI's shape. */
export const ApiError = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

type Init = { method?: string; body?: string; headers?: Record<string, string> };

export type V1Client = {
  /** Sends a request with the access token. */
  request(path: string, init?: Init): Promise<Response>;
  /** Sends `POST /v1/responses`. */
  postResponse(body: unknown): Promise<Response>;
  /** Creates a response; throws when the Worker refuses. */
  create(body: unknown): Promise<ApiResponse>;
  /** Retrieves a response with its outputs. */
  retrieve(id: string): Promise<ApiResponse>;
  /** Retrieves a response once it has ended. */
  waitForEnd(id: string): Promise<ApiResponse>;
};

/** @param url The Worker's URL. */
export function createV1Client(url: string): V1Client {
  const request = (path: string, { headers, ...init }: Init = {}) => {
    const type: Record<string, string> =
      init.body === undefined ? {} : { "content-type": "application/json" };
    return fetch(`${url}/v1${path}`, {
      redirect: "manual",
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, ...type, ...headers },
    });
  };
  const postResponse = (body: unknown) =>
    request("/responses", { method: "POST", body: JSON.stringify(body) });
  const retrieve = async (id: string) => {
    const response = await request(`/responses/${id}?${INCLUDE_OUTPUTS}`);
    return ApiResponse.parse(await response.json());
  };
  return {
    request,
    postResponse,
    async create(body) {
      const response = await postResponse(body);
      const text = await response.text();
      if (response.status !== 200)
        throw new Error(`POST /v1/responses: ${response.status} ${text}`);
      return ApiResponse.parse(JSON.parse(text));
    },
    retrieve,
    waitForEnd: (id) =>
      waitFor(
        () => retrieve(id),
        ({ status }) => status !== "queued" && status !== "in_progress",
      ),
  };
}

/** Returns the outputs of the first call. */
export function getOutputs({ output }: ApiResponse): unknown {
  return output.find((item) => "outputs" in item)?.outputs;
}
