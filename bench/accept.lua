-- wrk: posts the body of WEBHOOK_BODY with the signature of WEBHOOK_SIGNATURE; prints one line for accept.py.
wrk.method = "POST"
wrk.body = os.getenv("WEBHOOK_BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Doco-OCI-Signature-256"] = "sha256=" .. os.getenv("WEBHOOK_SIGNATURE")

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d", summary.requests, summary.duration, latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
