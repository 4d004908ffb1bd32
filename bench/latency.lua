-- GET the address as it is, and print the 95th percentile in milliseconds and how many answers were no success.

function done(summary, latency)
  io.write(string.format("p95 %.3f failed %d\n", latency:percentile(95) / 1000, summary.errors.status))
end
