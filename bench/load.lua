-- What wrk does in every row:  wrk … -s load.lua URL -- [TOKENS] [PAUSE]
--   TOKENS  a file with one Negotiate token a line, or "-"; each is sent once, and the
--           run ends when there is none left
--   PAUSE   ms that a connection waits between two requests
-- The last line it prints is one JSON object.
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int pid, int signal);")
local SIGINT = 2

function init(args)
    if args[1] and args[1] ~= "-" then
        local tokens = assert(io.open(args[1]))
        local head = "GET " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"]
            .. "\r\nAuthorization: Negotiate "
        request = function()
            local token = tokens:read("*l")
            if token then
                return head .. token .. "\r\n\r\n"
            end
            -- wrk sleeps until its time is over or it is interrupted.
            wrk.thread:stop()
            ffi.C.kill(ffi.C.getpid(), SIGINT)
            return ""
        end
    end
    local pause = tonumber(args[2] or "")
    if pause then
        delay = function() return pause end
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "refused": %d, "broken": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
