import { ApiError } from "../errors.ts";

/** A file of `/v1/files`. */
export interface UploadedFile {
  id: string;
  /** Unix seconds. */
  createdAt: number;
  filename: string;
  purpose: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Returns an uploaded file; throws the API's 404 for an unknown id. */
export function findUpload(uploads: ReadonlyMap<string, UploadedFile>, id: string): UploadedFile {
  const upload = uploads.get(id);
  if (!upload) throw new ApiError(404, `No such File object: ${id}`, { param: "id" });
  return upload;
}
