"""GitHub's issues of one repository, as its own `gh` asks for them: GraphQL over plain HTTP."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GH = """\
#!/bin/sh
# act knows no token of GitHub's; the host with that name is asked without TLS, through the proxy.
export GH_TOKEN="${GH_TOKEN:-token}" GH_HOST=github.localhost HTTP_PROXY=%s
exec %s "$@"
"""


@dataclass
class Issue:
    """One issue."""

    title: str
    body: str = ""
    state: str = "OPEN"
    comments: list[str] = field(default_factory=list)


@dataclass
class Issues:
    """All of them; the first has the number 1."""

    found: list[Issue] = field(default_factory=list)

    def answer(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do what one operation asks. Raises KeyError for one that is not known."""
        operation = re.search(r"(?:query|mutation) (\w+)", query)
        given = variables.get("input", variables)
        return {
            "IssueList": self._list,
            "RepositoryInfo": self._repository,
            "IssueCreate": self._create,
            "IssueByNumber": self._one,
            "CommentCreate": self._comment,
            "IssueClose": self._close,
        }[operation[1] if operation else ""](given)

    def _list(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        nodes = [
            {"number": number, "title": issue.title}
            for number, issue in enumerate(self.found, 1)
            if issue.state in given["states"]
        ]
        page = {"hasNextPage": False, "endCursor": ""}
        issues = {"totalCount": len(nodes), "nodes": nodes, "pageInfo": page}
        return {"repository": {"hasIssuesEnabled": True, "issues": issues}}

    def _repository(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        about = {"id": "R", "name": given["name"], "owner": {"login": given["owner"]}}
        return {"repository": about | {"hasIssuesEnabled": True, "viewerPermission": "WRITE"}}

    def _create(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.found.append(Issue(given["title"], given["body"]))
        return {"createIssue": {"issue": _shown(len(self.found), self.found[-1])}}

    def _one(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        issue = _shown(given["number"], self.found[given["number"] - 1])
        return {"repository": {"hasIssuesEnabled": True, "issue": issue}}

    def _comment(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.found[int(given["subjectId"]) - 1].comments.append(given["body"])
        url = "https://github.com/octocat/project/issues#comment"
        return {"addComment": {"commentEdge": {"node": {"url": url}}}}

    def _close(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.found[int(given["issueId"]) - 1].state = "CLOSED"
        return {"closeIssue": {"issue": {"id": given["issueId"]}}}


def _shown(number: int, issue: Issue) -> Mapping[str, Any]:
    return {
        "__typename": "Issue",
        "id": str(number),
        "number": number,
        "title": issue.title,
        "state": issue.state,
        "url": f"https://github.com/octocat/project/issues/{number}",
    }


def _handler(issues: Issues) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"data": issues.answer(asked["query"], asked["variables"])}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving(issues: Issues) -> Iterator[str]:
    """Serve the issues on a free port of this machine; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(issues))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
