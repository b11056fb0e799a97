// Package ordered is what operators that rank rows or look at their neighbours are made from: an order of rows as byte
// strings, a store of whole rows, and what is known of the progress of event time.
//
// Key turns the columns that a query orders by into bytes that compare like the values. Rows keeps copies of rows, each
// behind the bytes of its key, so that rows compare as byte strings and rows that are equal by the order still have one;
// it remembers what has changed for incremental snapshots and holds no pointers. Tree keeps some of those rows in order, by
// links in the rows themselves. Record lays rows out in words that their owner keeps, where one takes the place of another.
// Progress says how far event time has come, also after a restore from subtasks that had not come equally far.
//
// Batches are only borrowed. Everything belongs to one goroutine, and nothing blocks.
package ordered
