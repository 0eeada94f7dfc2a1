"""The use cases of the switch: look up, broadcast, route, buy, retry, recover, advise, steer."""
