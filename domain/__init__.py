"""The nouns and rules of a prepaid-utilities switch: no I/O, no clocks, no randomness of its own.

Every module holds one noun (meter, lookup, purchase, utility, provider, advice, money) with its
events and the state that they fold into, or one rule (routing). All other rooms import this one;
it imports none of them.
"""
