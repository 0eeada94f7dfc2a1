"""Notifications on their way out: subscribers are told over HTTP of purchases that were approved.

This is the channel interface's `notifyTokenPurchase`, with the roles reversed: the switch is the
one that sends."""
