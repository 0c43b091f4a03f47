import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import { findUpload } from "../responses/create.ts";
import { validate } from "../responses/create-params.ts";
import type { State, UploadedFile } from "../state.ts";
import { sendBytes, parseFormBody, paginate } from "./body.ts";

const CreateFileParams = z.object({ file: z.instanceof(File), purpose: z.string() });

/** `/v1/files`: as much of it as containers need. */
export function fileRoutes(state: State): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const { file, purpose } = validate(CreateFileParams, await parseFormBody(c));
      const bytes = new Uint8Array(await file.arrayBuffer());
      // Unlike all others, these ids have a hyphen.
      const id = newId("file").replace("_", "-");
      const made: UploadedFile = {
        id,
        createdAt: toUnixSeconds(),
        filename: file.name,
        purpose,
        bytes,
      };
      state.uploads.set(id, made);
      return c.json(toFile(made));
    })
    .get("/", (c) => c.json(paginate(c, [...state.uploads.values()].map(toFile))))
    .get("/:id", (c) => c.json(toFile(findUpload(state, c.req.param("id")))))
    .get("/:id/content", (c) => sendBytes(c, findUpload(state, c.req.param("id")).bytes))
    .delete("/:id", (c) => {
      const { id } = findUpload(state, c.req.param("id"));
      state.uploads.delete(id);
      return c.json({ id, object: "file", deleted: true });
    });
}

function toFile({ id, bytes, createdAt, filename, purpose }: UploadedFile) {
  return {
    id,
    object: "file",
    bytes: bytes.length,
    created_at: createdAt,
    filename,
    purpose,
    status: "processed",
  };
}
