"""From the request to the answer: HTTP, websockets, server-sent events; documents, their cost, and who may send how many."""
