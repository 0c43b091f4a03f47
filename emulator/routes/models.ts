import { Hono } from "hono";
import type { Env } from "../app.ts";
import { ApiError } from "../errors.ts";

/** Name → unix time of its creation. A response may ask for any other name as well. */
const MODELS: Record<string, number> = {
  "gpt-4.1": 1_744_316_542,
  "gpt-5": 1_754_425_777,
  "gpt-5.2": 1_765_313_051,
  "gpt-5.2-2025-12-11": 1_765_343_959,
};

/** `/v1/models`. Behind each of them is the same script. */
export function models(): Hono<Env> {
  return new Hono<Env>()
    .get("/", (c) => c.json({ object: "list", data: Object.keys(MODELS).map(shape) }))
    .get("/:id", (c) => {
      const id = c.req.param("id");
      if (id in MODELS) return c.json(shape(id));
      throw new ApiError(404, `The model '${id}' does not exist`, {
        param: "model",
        code: "model_not_found",
      });
    });
}

function shape(id: string) {
  return { id, object: "model", created: MODELS[id], owned_by: "emulator-scripted" };
}
