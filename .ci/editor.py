"""Opens YAML files in yaml-language-server as an editor would, and compares the lines with a problem.

Usage: .ci/editor.py SCHEMA [--lines LINE,…] FILE…

Without --lines no file may have a problem. The description of the first key must be shown, as Markdown.
"""

import json
import subprocess
import sys
from pathlib import Path


class Server:
    def __init__(self):
        command = ["yaml-language-server", "--stdio"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.requests = 0

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            name, value = line.split(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length == 0:
            sys.exit("yaml-language-server ended")
        return json.loads(self.process.stdout.read(length))

    def wait(self, wanted, settings):
        """Returns the first message that is wanted, and answers the requests of the server meanwhile."""
        while True:
            message = self.receive()
            if wanted(message):
                return message
            if "id" in message and "method" in message:
                items = message.get("params", {}).get("items", [])
                answer = [settings.get(item.get("section")) for item in items]
                self.send(id=message["id"], result=answer or None)

    def request(self, method, params, settings):
        self.requests += 1
        number = self.requests
        self.send(id=number, method=method, params=params)
        return self.wait(lambda message: message.get("id") == number and "method" not in message, settings)


def main(schema, expected, files):
    uris = {Path(file).resolve().as_uri(): file for file in files}
    yaml = {"schemas": {Path(schema).resolve().as_uri(): [*uris]}, "schemaStore": {"enable": False}, "hover": True}
    settings = {"yaml": {**yaml, "validate": True}}
    server = Server()
    server.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, settings)
    server.send(method="initialized", params={})
    server.send(method="workspace/didChangeConfiguration", params={"settings": settings})
    failed = False
    for uri, file in uris.items():
        text = "".join(line for line in Path(file).read_text().splitlines(True) if "$schema=" not in line)
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        server.send(method="textDocument/didOpen", params={"textDocument": document})

        def is_about(message):
            return message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri

        problems = server.wait(is_about, settings)["params"]["diagnostics"]
        lines = sorted(problem["range"]["start"]["line"] + 1 for problem in problems)
        if lines != expected:
            failed = True
            print(f"{file}: problems at lines {lines}, expected {expected}")
            for problem in problems:
                print("    " + problem["message"])
        first = next(number for number, line in enumerate(text.splitlines()) if line[:1].isalpha())
        position = {"textDocument": {"uri": uri}, "position": {"line": first, "character": 1}}
        hover = server.request("textDocument/hover", position, settings).get("result")
        shown = json.dumps(hover)
        if not hover or "\\\\`" in shown or len(shown) < 80:
            failed = True
            print(f"{file}: hover shows {shown}")
    server.process.kill()
    print(f"{len(files)} files in yaml-language-server")
    sys.exit(failed)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    lines = []
    if arguments[1] == "--lines":
        lines = [int(line) for line in arguments[2].split(",")]
        del arguments[1:3]
    main(arguments[0], lines, arguments[1:])
