"""What gunicorn reads by itself when it is started in this directory: what it may write down about requests.

No access log (it would hold addresses and user agents), and no address of a request that could not be read.
"""

from grm.web.server_log import ServerLog

accesslog = None
logger_class = ServerLog
