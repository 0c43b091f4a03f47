import { expect, test } from "vitest";
import { parseTriggerForm, toCreateParams } from "../../../src/api/trigger-form.ts";

test("the form's input has the line breaks that were typed", () => {
  const form = parseTriggerForm({ input: " first\r\n\r\nsecond\r\n", memory: "none" });
  expect(toCreateParams(form)).toEqual({ input: "first\n\nsecond" });
});
