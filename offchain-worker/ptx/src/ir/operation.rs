//! What instructions do with their operands, by families.

/// Operations on one integer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unary {
	Abs,
	Neg,
	Not,
	LogicalNot,
	CountOnes,
	LeadingZeros,
	Reverse,
	/// Position of the highest bit that is not a copy of the sign; all ones where there is none.
	FindHighest,
	/// As [`Self::FindHighest`], counted from the top: what a value is to be shifted by.
	FindShift,
}

/// Operations on two integers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Binary {
	Add,
	Sub,
	MulLow,
	MulHigh,
	Mul24Low,
	Mul24High,
	Div,
	Rem,
	Min,
	Max,
	And,
	Or,
	Xor,
	ShiftLeft,
	ShiftRight,
	AddSaturated,
	SubSaturated,
}

/// Which bits of a product are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
	Low,
	High,
	/// All of them: the result is twice as wide as the factors.
	Wide,
	/// Low 32 bits of a product of 24-bit numbers.
	Low24,
	/// Bits 16 to 47 of a product of 24-bit numbers.
	High24,
}

/// Width of a floating-point operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Precision {
	Single,
	Double,
}

/// Operations on one float.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FloatUnary {
	Abs,
	Neg,
	Sqrt,
	Reciprocal,
}

/// Operations on two floats.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FloatBinary {
	Add,
	Sub,
	Mul,
	Div,
	Min,
	Max,
	/// The second operand with the sign of the first.
	CopySign,
}

/// How a result that is no number of its type is rounded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rounding {
	NearestEven,
	Zero,
	Down,
	Up,
}

/// How two values are compared. The unordered ones hold when an operand is NaN, the others do not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Comparison {
	Equal,
	NotEqual,
	Less,
	LessEqual,
	Greater,
	GreaterEqual,
	EqualUnordered,
	NotEqualUnordered,
	LessUnordered,
	LessEqualUnordered,
	GreaterUnordered,
	GreaterEqualUnordered,
	Numbers,
	NotNumbers,
}

/// What `testp` asks of a float.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FloatClass {
	Finite,
	Infinite,
	Number,
	NotANumber,
	Normal,
	Subnormal,
}

/// Operations that give a carry to the next one, or take one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CarryOp {
	Add,
	Sub,
	/// The low half of a product, and a sum.
	MulAddLow,
	MulAddHigh,
}

/// What `set` gives if its comparison holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Truth {
	/// 32 ones.
	AllOnes,
	/// 1.0 as a binary32.
	One,
}

/// How the predicates of a block are put together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Gather {
	/// How many hold.
	Count,
	All,
	Any,
}

/// Read-modify-write operations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AtomicOp {
	Add,
	Min,
	Max,
	Exchange,
	CompareExchange,
	And,
	Or,
	Xor,
	/// Counts up to the operand, then from zero again.
	Increment,
	/// Counts down from the operand, again and again.
	Decrement,
	AddFloat,
}
