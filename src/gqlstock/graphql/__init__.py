"""GraphQL in four rooms: ``schema``, ``relay``, ``http`` and ``executor``.

What the rooms share is beside them: the request's context, scopes and warehouses of the caller, errors, outcomes.
"""
