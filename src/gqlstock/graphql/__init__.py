"""The GraphQL layer, in four packages: ``schema``, ``relay``, ``http`` and ``executor``.

Modules at this level are shared by all four: the request context, scope and warehouse checks, errors, outcomes.
"""
