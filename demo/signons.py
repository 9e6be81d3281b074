"""Signs on in every way there is, tries what must be refused, and prints what came of
it: signons.py DEMO_DIR, with the realm's names in the environment. See run.sh."""

import sys

# The attempts stand in the table in this order.
import kerberos  # noqa: F401
import ntlm  # noqa: F401
import services  # noqa: F401
import table

sys.exit(1 if table.tried() else 0)
