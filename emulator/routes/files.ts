import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import { findUpload, type UploadedFile } from "../containers/uploads.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { parseFormBody, sendBytes } from "./body.ts";
import { paginate } from "./page.ts";

const CreateFileParams = z.object({ file: z.instanceof(File), purpose: z.string() });

const FILE_PAGE_LIMITS = { maxLimit: 10_000, defaultLimit: 10_000 };

/** `/v1/files`, as far as containers need it. */
export function fileRoutes({ uploads }: State): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const { file, purpose } = validate(CreateFileParams, await parseFormBody(c));
      const bytes = new Uint8Array(await file.arrayBuffer());
      const upload: UploadedFile = {
        // Unlike all other ids, those of files have a hyphen.
        id: newId("file").replace("_", "-"),
        createdAt: toUnixSeconds(),
        filename: file.name,
        purpose,
        bytes,
      };
      uploads.set(upload.id, upload);
      return c.json(toFile(upload));
    })
    .get("/", (c) => {
      const purpose = c.req.query("purpose");
      const list = [...uploads.values()].filter(
        (file) => (purpose ?? file.purpose) === file.purpose,
      );
      return c.json(paginate(c, list.map(toFile), FILE_PAGE_LIMITS));
    })
    .get("/:id", (c) => c.json(toFile(findUpload(uploads, c.req.param("id")))))
    .get("/:id/content", (c) => sendBytes(c, findUpload(uploads, c.req.param("id")).bytes))
    .delete("/:id", (c) => {
      const { id } = findUpload(uploads, c.req.param("id"));
      uploads.delete(id);
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
