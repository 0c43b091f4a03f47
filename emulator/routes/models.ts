import { Hono } from "hono";
import type { AppEnv } from "../app-env.ts";
import { ApiError } from "../errors.ts";

/** The Unix seconds of each listed model's creation. A create request may also name any other model. */
const MODEL_CREATED_SECONDS: Record<string, number> = {
  "gpt-4.1": 1_744_316_542,
  "gpt-5": 1_754_425_777,
  "gpt-5.2": 1_765_313_051,
  "gpt-5.2-2025-12-11": 1_765_343_959,
};

/** `/v1/models`. All of them are the same scripted model. */
export function modelRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/", (c) =>
      c.json({ object: "list", data: Object.keys(MODEL_CREATED_SECONDS).map(toModel) }),
    )
    .get("/:id", (c) => {
      const id = c.req.param("id");
      if (Object.hasOwn(MODEL_CREATED_SECONDS, id)) return c.json(toModel(id));
      throw new ApiError(404, `The model '${id}' does not exist`, {
        param: "model",
        code: "model_not_found",
      });
    });
}

function toModel(id: string) {
  const created = MODEL_CREATED_SECONDS[id];
  return { id, object: "model", created, owned_by: "emulator-scripted" };
}
