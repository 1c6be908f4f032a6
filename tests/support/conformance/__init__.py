"""What every forge does, as tests: a forge's own test file imports all of them, and says how its bench is made.

`bench.py` says what a bench is and how to add one. The cases are in the other files, by what they are about; each takes
the fixture `workshop`. A case that a forge can't meet asks `workshop.can`, its capabilities, and nothing else.
"""

from conformance.after_faults import *  # noqa: F403
from conformance.at_once import *  # noqa: F403
from conformance.commands import *  # noqa: F403
from conformance.methods import *  # noqa: F403
from conformance.people import *  # noqa: F403
from conformance.texts import *  # noqa: F403
from conformance.trust import *  # noqa: F403
from conformance.workshop import publish, pytest_generate_tests, workshop  # noqa: F401
