"""A policy pack for Pulumi programs on AWS, Azure, GCP and Kubernetes. It imports nothing of the program it judges.

`rules/` holds pure functions over plain data; `pack.py` binds them to the engine; `__main__.py` serves them.
"""
