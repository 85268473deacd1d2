-- table.insert into a library.
-- refused: table expected
table.insert(math, 1)
return policy {}
