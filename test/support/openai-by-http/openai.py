"""The two calls of OpenAI's SDK that the recipe makes, by the HTTP that the SDK sends: for machines without the SDK."""

import json
import os
import urllib.request
from types import SimpleNamespace


class OpenAI:
    def __init__(self, base_url=None, api_key=None):
        self.base_url = base_url or os.environ["OPENAI_BASE_URL"]
        self.api_key = api_key or os.environ["OPENAI_API_KEY"]
        self.responses = self

    def create(self, **body):
        return self._send("/responses", json.dumps(body).encode())

    def retrieve(self, id, include=()):
        query = "&".join(f"include[]={name}" for name in include)
        return self._send(f"/responses/{id}?{query}")

    def _send(self, path, body=None):
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base_url + path, body, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer, object_hook=lambda members: SimpleNamespace(**members))
