"""Record what calls of AI models came to. Copy this file: it needs Python 3.9 and nothing else (docs/events.md)."""

import json, queue, threading, time, urllib.error, urllib.request, uuid  # noqa: E401, I001


class Recorder:
    """Sends events from a thread of its own. It never raises and never waits: what cannot be sent is dropped."""

    def __init__(self, url, token, most_waiting=10_000, pause=1.0):
        self._url, self._waiting, self._thread = url.rstrip("/") + "/v1/events", queue.Queue(most_waiting), None
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._pause, self.dropped = pause, 0

    def record(self, **event):
        """Tell of a call (model=, input_tokens=, task=, …) or of how one ended (request_id=, outcome=, score=)."""
        event = {"id": str(uuid.uuid4()), "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **event}
        try:
            self._waiting.put_nowait(json.dumps(event, default=str))
            if self._thread is None or not self._thread.is_alive():  # at first, and after a fork
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
        except Exception:  # noqa: BLE001 - whatever it is, the caller has better things to do
            self.dropped += 1
        return event["id"]

    def flush(self, seconds=2):
        """Before a program ends: wait until all is sent or dropped, for so many seconds at the most."""
        until = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)

    def _run(self):
        left = []
        while True:
            while len(left) < 500 and not (left and self._waiting.empty()):
                left.append(self._waiting.get())
            before, left = len(left), self._unsent(left)
            [self._waiting.task_done() for _ in range(before - len(left))]
            time.sleep(self._pause if left else 0)

    def _unsent(self, events):
        try:
            request = urllib.request.Request(self._url, f"[{','.join(events)}]".encode(), self._headers)  # noqa: S310
            try:
                return urllib.request.urlopen(request, timeout=10).close() or []  # noqa: S310
            except urllib.error.HTTPError as no:
                with no:
                    code, said = no.code, no.read()
            if code in (400, 413) and (half := len(events) // 2):  # one of them is no JSON, or all are too long
                return self._unsent(events[:half]) + self._unsent(events[half:])
            lost = range(len(events)) if code != 422 else {fault["index"] for fault in json.loads(said)["faults"]}
            lost = () if code == 429 or code >= 500 else lost
            self.dropped += len(lost)
            return [event for n, event in enumerate(events) if n not in lost]
        except Exception:  # noqa: BLE001 - nobody is there to hear of it
            return events
