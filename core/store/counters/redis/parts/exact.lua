-- Amounts are 0 … 2^62. Below 2^53 numbers are exact; above, amounts are decimal text, of which the last nine digits
-- are reckoned apart. That is rare: what does so is made when it is needed.
local EXACT, MOST = 9007199254740992, "4611686018427387904"

local function exact()
  local format = string.format

  local function halves(amount)
    local text = type(amount) == "number" and format("%.0f", amount) or amount
    return tonumber(text:sub(1, -10)) or 0, tonumber(text:sub(-9))
  end

  local function joined(high, low)
    if high == 0 then return format("%.0f", low) end
    return format("%.0f%09.0f", high, low)
  end

  local function is_more(a, b)
    if a + 0 < EXACT and b + 0 < EXACT then return a + 0 > b + 0 end
    local high_a, low_a = halves(a)
    local high_b, low_b = halves(b)
    return high_a > high_b or (high_a == high_b and low_a > low_b)
  end

  local function total(a, b)
    if a + b < EXACT then return format("%.0f", a + b) end
    local high_a, low_a = halves(a)
    local high_b, low_b = halves(b)
    local low = low_a + low_b
    local carry = low >= 1000000000 and 1 or 0
    return joined(high_a + high_b + carry, low - carry * 1000000000)
  end

  -- At most MOST, as counters_sum().
  local function plus(a, b)
    local sum = total(a, b)
    return is_more(sum, MOST) and MOST or sum
  end

  -- At least 0.
  local function minus(a, b)
    if a + 0 < EXACT then return format("%.0f", a + 0 > b + 0 and a - b or 0) end
    local high_a, low_a = halves(a)
    local high_b, low_b = halves(b)
    local high, low = high_a - high_b, low_a - low_b
    if low < 0 then high, low = high - 1, low + 1000000000 end
    return high < 0 and "0" or joined(high, low)
  end

  return { halves = halves, is_more = is_more, total = total, plus = plus, minus = minus }
end
