-- Receipts as fast as they are accepted:
--   LOAD_ACCOUNTS=FILE wrk -t2 -c16 -d30s --latency -s deploy/load/wrk/receipts.lua "$(club url promotions)"
local text = assert(io.open(os.getenv("LOAD_ACCOUNTS") or "accounts.json")):read("a")
local key = assert(text:match('"tillKey": "([^"]+)"'), "there is no till key in the accounts")
local cards = {}
for card in text:gmatch('"card": "(%d+)"') do cards[#cards + 1] = card end

-- Each thread is a till with a fiscal memory of its own.
local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("memory", string.format("%010d%06d", os.time(), threads))
end

local number = 0
function request()
    number = number + 1
    local body = string.format(
        '{"fiscal":{"fn":"%s","fd":%d,"fpd":%d},"store":"demo-1","at":"%s","card":"%s","lines":[{"position":1,' ..
        '"sku":"demo-101","category":"moloko-syr-ajca","quantity":1000,"price":9490,"sum":9490}],"total":9490}',
        memory, number, number, os.date("!%Y-%m-%dT%H:%M:%SZ"), cards[number % #cards + 1])
    return wrk.format("POST", "/pos/v1/receipts", {
        ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" }, body)
end

function done(summary)
    local failed = summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout
    io.write(string.format("receipts: %.0f/s, %d failed\n", summary.requests / summary.duration * 1e6, failed))
end
