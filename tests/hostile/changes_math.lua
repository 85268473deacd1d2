-- Another math.floor.
-- refused: cannot be changed
math.floor = nil
return policy {}
