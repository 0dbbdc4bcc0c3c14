"""Measurements of the imported corpus: `make bench`, or `python -m bench search avails` for some subjects.

Every figure comes from the same work on the same data: questions are drawn with a fixed seed, answers are
asserted equal to a slow reference before their times count, cold and warm stand apart, and what is printed
carries the commit. Everything happens in a temporary folder that is gone at the end.
"""
