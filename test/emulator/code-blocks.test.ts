import { describe, expect, test } from "vitest";
import { findCodeBlocks } from "../../emulator/responses/code-blocks.ts";

describe("findCodeBlocks", () => {
  test.each([
    ["```python\n1\n2\n```", ["1\n2"]],
    ["a\n```py\n1\n```\nb\n```python3\n2\n```", ["1", "2"]],
    ["```Python title=x\n1\n```", ["1"]],
    ["~~~\n1\n~~~", ["1"]],
    ["~~~python\n1\n```\n2\n~~~~", ["1\n```\n2"]],
    ["````python\n'''```'''\n```\n````", ["'''```'''\n```"]],
    ["```python\n```", [""]],
    ["```python\r\n1\r\n2\r\n```\r\n", ["1\r\n2"]],
  ])("finds the code of %j", (markdown, codes) => {
    expect(findCodeBlocks(markdown)).toEqual(codes);
  });

  test.each([
    ["in a list", "- Run\n  ```python\n  if 1:\n    2\n\n  3\n  ```", "if 1:\n  2\n\n3"],
    ["in a template literal", "\n    ```py\n    1\n    2\n    ```", "1\n2"],
    ["with tabs", "\t```python\n\t1\n\t\t2\n\t```", "1\n\t2"],
    ["with blank lines that have less", "  ```python\n  1\n \n  2\n  ```", "1\n\n2"],
    ["deeper than its fence", "```python\n    1\n    2\n```", "1\n2"],
  ])("dedents code %s", (_, markdown, code) => {
    expect(findCodeBlocks(markdown)).toEqual([code]);
  });

  test.each(["```\n1\n```", "```json\n1\n```", "```pyramid\n1\n```", "```python\n1", "`python`"])(
    "finds none in %j",
    (markdown) => {
      expect(findCodeBlocks(markdown)).toEqual([]);
    },
  );
});
