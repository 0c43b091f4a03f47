import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app.ts";
import type { Container, ContainerFile, Containers } from "../containers/containers.ts";
import { ApiError } from "../errors.ts";
import { toUnixSeconds } from "../lib/ids.ts";
import { findUpload } from "../responses/create.ts";
import { validate, MemoryLimit } from "../responses/create-params.ts";
import { redactSecrets } from "../redact-secrets.ts";
import type { State } from "../state.ts";
import { sendBytes, parseFormBody, parseJsonBody, paginate } from "./body.ts";

const CreateContainerParams = z.strictObject({
  name: z.string(),
  expires_after: z
    .object({ anchor: z.literal("last_active_at"), minutes: z.int().min(1).max(20) })
    .nullish(),
  file_ids: z.array(z.string()).nullish(),
  memory_limit: MemoryLimit.nullish(),
  network_policy: z.looseObject({}).nullish(),
  skills: z.array(z.unknown()).nullish(),
});

const CreateFileParams = z.object({
  file: z.instanceof(File).optional(),
  file_id: z.string().optional(),
});

/** `/v1/containers`. Every call about a container counts as its use. */
export function containerRoutes(state: State): Hono<AppEnv> {
  const all = state.containers;
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const request = validate(CreateContainerParams, await parseJsonBody(c));
      const files = (request.file_ids ?? []).map((id) => findUpload(state, id));
      const made = all.create({
        name: request.name,
        memoryLimit: request.memory_limit ?? undefined,
        minutes: request.expires_after?.minutes,
        networkPolicy: request.network_policy ?? undefined,
      });
      for (const { filename, bytes } of files) made.upload(filename, bytes);
      return c.json(toContainer(all, made));
    })
    .get("/", (c) =>
      c.json(
        paginate(
          c,
          all.list().map((container) => toContainer(all, container)),
        ),
      ),
    )
    .get("/:id", (c) => c.json(toContainer(all, all.use(c.req.param("id")))))
    .delete("/:id", (c) => {
      const id = c.req.param("id");
      all.delete(id);
      return c.json({ id, object: "container.deleted", deleted: true });
    })
    .post("/:id/files", async (c) => {
      const container = all.use(c.req.param("id"));
      const { file, file_id } = validate(CreateFileParams, await parseFormBody(c));
      if (file_id !== undefined) {
        const { filename, bytes } = findUpload(state, file_id);
        return c.json(toContainerFile(container, container.upload(filename, bytes)));
      }
      if (!file) throw new ApiError(400, "Missing required parameter: 'file'.", { param: "file" });
      const bytes = new Uint8Array(await file.arrayBuffer());
      return c.json(toContainerFile(container, container.upload(file.name, bytes)));
    })
    .get("/:id/files", (c) => {
      const container = all.use(c.req.param("id"));
      const files = [...container.filesByPath.values()];
      return c.json(
        paginate(
          c,
          files.map((file) => toContainerFile(container, file)),
        ),
      );
    })
    .get("/:id/files/:file", (c) => {
      const container = all.use(c.req.param("id"));
      return c.json(toContainerFile(container, container.file(c.req.param("file"))));
    })
    .delete("/:id/files/:file", (c) => {
      const container = all.use(c.req.param("id"));
      const { id, path } = container.file(c.req.param("file"));
      container.remove(path);
      return c.json({ id, object: "container.file.deleted", deleted: true });
    })
    .get("/:id/files/:file/content", (c) => {
      const { bytes } = all.use(c.req.param("id")).file(c.req.param("file"));
      return sendBytes(c, bytes);
    });
}

function toContainer(all: Containers, container: Container) {
  const { id, createdAt, lastActiveAt: usedAt, expired, options: wishes } = container;
  return {
    id,
    object: "container",
    created_at: createdAt,
    status: expired ? "expired" : "running",
    expires_after: { anchor: "last_active_at", minutes: all.minutesUntilExpiry(container) },
    last_active_at: toUnixSeconds(usedAt),
    memory_limit: wishes.memoryLimit ?? "1g",
    name: wishes.name ?? "",
    network_policy: redactSecrets(wishes.networkPolicy ?? { type: "disabled" }),
  };
}

function toContainerFile(
  container: Container,
  { id, createdAt, bytes, path, source }: ContainerFile,
) {
  return {
    id,
    object: "container.file",
    created_at: createdAt,
    bytes: bytes.length,
    container_id: container.id,
    path,
    source,
  };
}
