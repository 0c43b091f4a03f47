import { Hono } from "hono";
import * as z from "zod";
import type { Env } from "../app.ts";
import { newId, unix } from "../lib/ids.ts";
import { upload } from "../responses/create.ts";
import { check } from "../responses/create-params.ts";
import type { State, Upload } from "../state.ts";
import { attachment, form, page } from "./body.ts";

const Create = z.object({ file: z.instanceof(File), purpose: z.string() });

/** `/v1/files`: as much of it as containers need. */
export function files(state: State): Hono<Env> {
  return new Hono<Env>()
    .post("/", async (c) => {
      const { file, purpose } = check(Create, await form(c));
      const bytes = new Uint8Array(await file.arrayBuffer());
      // Unlike all others, these ids have a hyphen.
      const id = newId("file").replace("_", "-");
      const made: Upload = { id, createdAt: unix(), filename: file.name, purpose, bytes };
      state.uploads.set(id, made);
      return c.json(shape(made));
    })
    .get("/", (c) => c.json(page(c, [...state.uploads.values()].map(shape))))
    .get("/:id", (c) => c.json(shape(upload(state, c.req.param("id")))))
    .get("/:id/content", (c) => attachment(c, upload(state, c.req.param("id")).bytes))
    .delete("/:id", (c) => {
      const { id } = upload(state, c.req.param("id"));
      state.uploads.delete(id);
      return c.json({ id, object: "file", deleted: true });
    });
}

function shape({ id, bytes, createdAt, filename, purpose }: Upload) {
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
