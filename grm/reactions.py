"""Event → what follows: the one page that answers "what happens when a case is escalated?"

Handlers run inside the transaction that recorded the event; they insert rows (messages, mostly) and call nobody outside.
"""

from grm.kernel.transaction import Reactions

REACTIONS: Reactions = {}
