-- Balance reads of members who are logged in. The accounts are those of deploy/load/prepare:
--   LOAD_ACCOUNTS=FILE wrk -t2 -c32 -d30s --latency -s deploy/load/wrk/balance.lua "$(club url ledger)"
-- wrk has no JSON: a token is what stands behind "access".
local tokens = {}
for token in assert(io.open(os.getenv("LOAD_ACCOUNTS") or "accounts.json")):read("a"):gmatch('"access": "([^"]+)"') do
    tokens[#tokens + 1] = token
end
assert(#tokens > 0, "there are no tokens in the accounts")

local nth = 0
function request()
    nth = nth % #tokens + 1
    return wrk.format("GET", "/v1/balance", { ["Authorization"] = "Bearer " .. tokens[nth] })
end

function done(summary)
    local failed = summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout
    io.write(string.format("balance reads: %.0f/s, %d failed\n", summary.requests / summary.duration * 1e6, failed))
end
