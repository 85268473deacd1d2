-- An endless loop while the file is read.
-- refused: stopped after
while true do end
