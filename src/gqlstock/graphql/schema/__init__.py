"""The schema: types, queries, mutations and subscriptions by noun. They translate and authorize; they decide nothing."""
