def without_rows(sampler, k):
    raise NotImplementedError
