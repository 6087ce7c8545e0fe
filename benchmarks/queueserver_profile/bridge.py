"""Speaks to a RE Manager for a program outside its environment: one JSON line asks, one JSON line answers.

    python bridge.py tcp://127.0.0.1:PORT

Asked ``{"method": name, "params": {...}}`` it answers with what the manager says, or with
``{"unreachable": why}`` if the manager does not answer in time.
"""

import json
import sys

from bluesky_queueserver import CommTimeoutError, ZMQCommSendThreads


def main(address: str) -> None:
    manager = ZMQCommSendThreads(zmq_server_address=address)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = manager.send_message(method=request["method"], params=request["params"])
        except CommTimeoutError as error:
            answer = {"unreachable": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main(sys.argv[1])
