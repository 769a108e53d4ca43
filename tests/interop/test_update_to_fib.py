"""How long an UPDATE takes from its last byte to the FIB, as the metric says."""

import fib_latency


def test_updates_reach_the_fib_within_milliseconds(lab):
    buckets, count = fib_latency.measure(lab, seconds=4)
    p99 = fib_latency.quantile(buckets, count, 0.99)
    print(f"{count} reads, p99 <= {p99 * 1e6:.0f} us, {buckets}")
    # On a machine of its own 200 us; here others run beside it.
    assert p99 <= 0.02, buckets
