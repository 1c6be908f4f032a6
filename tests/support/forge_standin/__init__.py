"""What the stand-ins of all forges share: a bare repository, pushes with rules, an HTTP server with faults and a record.

`Site` (`site.py`) is a forge on 127.0.0.1 without an API; `GitHand` (`hand.py`) somebody who works in one of its
repositories with git; `Bare` real git without a working tree; `pushes` git over HTTP with rules; `faults` what can be
ordered to go wrong; `schemas` complaints about JSON that a description doesn't allow.
"""

from forge_standin.bare import Bare, Conflict, Person
from forge_standin.hand import GitHand
from forge_standin.site import Answer, Exchange, Request, Site

__all__ = ["Answer", "Bare", "Conflict", "Exchange", "GitHand", "Person", "Request", "Site"]
