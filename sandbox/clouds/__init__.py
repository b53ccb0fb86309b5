"""Simulated control planes of AWS, Azure and GCP: one gRPC resource provider per package, driven by data.

What a type accepts, computes, refers to and when it is replaced is in `sandbox/data`; the code here names
no type.
"""
