-- For wrk: no two requests have the same target, or the same fields.
local count = 0

function request()
  count = count + 1
  wrk.headers["X-Count"] = count
  return wrk.format("GET", "/?" .. count)
end
