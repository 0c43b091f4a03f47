// OpenAI's SDK in the majors that programs use, as far as the claims about it need them.
import OpenAI7 from "openai";
import OpenAI4 from "openai4";
import OpenAI5 from "openai5";
import OpenAI6 from "openai6";
import { z } from "zod";
import type { Target } from "./targets.ts";

/** A create request that every major accepts. */
export type CreateBody = {
  model: string;
  input: string;
  background?: boolean;
  metadata?: Record<string, string>;
  previous_response_id?: string;
  tools?: { type: "code_interpreter"; container: { type: "auto" } }[];
  include?: "code_interpreter_call.outputs"[];
  no_such_parameter?: number;
};

/** A client. Answers are parsed by who asks: their types differ by major. */
export type SdkClient = {
  responses: {
    create(body: CreateBody): Promise<unknown>;
    create(body: CreateBody & { stream: true }): Promise<AsyncIterable<unknown>>;
    retrieve(id: string, query?: { include: CreateBody["include"] }): Promise<unknown>;
    cancel(id: string): Promise<unknown>;
    inputItems: { list(id: string): Promise<unknown> };
  };
  files: {
    create(body: { file: File; purpose: "user_data" }): Promise<{ id: string }>;
    content(id: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> }>;
  };
  models: { list(): Promise<{ data: unknown[] }> };
};

type Sdk = {
  major: number;
  createClient: (target: Target) => SdkClient;
  deleteResponse: (target: Target, id: string) => Promise<unknown>;
};

/** The types of major 4 lack an `include` value, which its program still passes on. */
const WithNewInclude = z.custom<SdkClient>((client) => client instanceof OpenAI4);

/** Each with its default retries. */
export const SDKS: Sdk[] = [
  {
    major: 4,
    createClient: (target) => WithNewInclude.parse(new OpenAI4(target)),
    deleteResponse: (target, id) => new OpenAI4(target).responses.del(id),
  },
  {
    major: 5,
    createClient: (target) => new OpenAI5(target),
    deleteResponse: (target, id) => new OpenAI5(target).responses.delete(id),
  },
  {
    major: 6,
    createClient: (target) => new OpenAI6(target),
    deleteResponse: (target, id) => new OpenAI6(target).responses.delete(id),
  },
  {
    major: 7,
    createClient: (target) => new OpenAI7(target),
    deleteResponse: (target, id) => new OpenAI7(target).responses.delete(id),
  },
];
