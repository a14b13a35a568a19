"""Search: the smallest network that meets a target, chosen on held-out training images alone, then declared and proved.

Reading order: family, as_python, contender, engines, sampling (what is tried); halving, front (who goes on: pure
functions of scores) with decisions; question, fold_runs, searched, declaring, rounds (the folder and its runs);
sent_runs, search_on_cluster (the same runs on the workers of a cluster); recount_search (is a stored search what its
runs say?). The search ends where a proof begins: the test images are the proof's.
"""
