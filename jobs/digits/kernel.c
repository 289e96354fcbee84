// Classifies 8x8 images of digits with a two-layer network of 8-bit integers.
//
// The language is OpenCL C 1.2: clang 14 marks a function as a kernel (`.entry` in PTX) in that language only.
// Indices, the barrier and `dp4a` are spelt for PTX, so no OpenCL run-time library is needed. Every operation is
// on integers, so the output is the same byte for byte on every device. `./build-kernel` writes `kernel.ptx`.
//
// All sizes are in 32-bit words of four signed 8-bit values, the unit that `dp4a` takes, unless they say otherwise.

#define IMAGE_WORDS 16
#define HIDDEN 48 // neurons
#define HIDDEN_WORDS (HIDDEN / 4)
#define CLASSES 10 // neurons

// Where each part of `weights.bin` starts. In both weight tables a row holds one word for each neuron, so that
// neighbouring threads read neighbouring words.
#define WEIGHTS1 0
#define BIAS1 (WEIGHTS1 + IMAGE_WORDS * HIDDEN)
#define WEIGHTS2 (BIAS1 + HIDDEN)
#define BIAS2 (WEIGHTS2 + HIDDEN_WORDS * CLASSES)
#define MULTIPLIER (BIAS2 + CLASSES)
#define SHIFT (MULTIPLIER + 1)

// The threads of one block, which must equal the plan's `block`.
#define RELU_IMAGES 8   // block of `dense_relu`: [HIDDEN, RELU_IMAGES, 1]
#define ARGMAX_BLOCK 64 // block of `dense_argmax`: [ARGMAX_BLOCK, 1, 1]

// Adds the four products of the signed bytes of `a` and `b` to `sum`.
static inline int dot4(int a, int b, int sum) {
	int result;
	__asm__("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
	return result;
}

// First layer with ReLU: one thread for each neuron of each image.
//
// A sum is brought back to 8 bits by `(sum * multiplier + 2^(shift - 1)) >> shift` in 64 bits, which is the nearest
// integer, halves rounded up; then it is held within 0 and 127. `shift` is 1 to 62.
kernel void dense_relu(global const int *images, global const int *weights, global uchar *hidden, uint count) {
	local int table[IMAGE_WORDS * HIDDEN];
	uint neuron = __nvvm_read_ptx_sreg_tid_x();
	uint row = __nvvm_read_ptx_sreg_tid_y();

	for (uint i = row * HIDDEN + neuron; i < IMAGE_WORDS * HIDDEN; i += HIDDEN * RELU_IMAGES)
		table[i] = weights[WEIGHTS1 + i];
	__syncthreads();

	// The threads past the last image have helped to load the table; only now may they leave.
	uint image = __nvvm_read_ptx_sreg_ctaid_x() * RELU_IMAGES + row;
	if (image >= count)
		return;

	int sum = weights[BIAS1 + neuron];
	for (uint i = 0; i < IMAGE_WORDS; i++)
		sum = dot4(images[image * IMAGE_WORDS + i], table[i * HIDDEN + neuron], sum);

	int shift = weights[SHIFT];
	long scaled = ((long)sum * weights[MULTIPLIER] + (1L << (shift - 1))) >> shift;
	int value = (int)scaled;
	value = value < 0 ? 0 : value;
	value = value > 127 ? 127 : value;
	hidden[image * HIDDEN + neuron] = (uchar)value;
}

// Second layer: one thread for each image writes the class with the greatest sum, the lowest of equals.
kernel void dense_argmax(global const int *hidden, global const int *weights, global uchar *classes, uint count) {
	local int table[HIDDEN_WORDS * CLASSES + CLASSES]; // the weights, then the biases, as in `weights.bin`
	uint thread = __nvvm_read_ptx_sreg_tid_x();

	for (uint i = thread; i < HIDDEN_WORDS * CLASSES + CLASSES; i += ARGMAX_BLOCK)
		table[i] = weights[WEIGHTS2 + i];
	__syncthreads();

	uint image = __nvvm_read_ptx_sreg_ctaid_x() * ARGMAX_BLOCK + thread;
	if (image >= count)
		return;

	int sums[CLASSES];
	for (uint class = 0; class < CLASSES; class++)
		sums[class] = table[HIDDEN_WORDS * CLASSES + class];
	for (uint i = 0; i < HIDDEN_WORDS; i++) {
		int word = hidden[image * HIDDEN_WORDS + i];
		for (uint class = 0; class < CLASSES; class++)
			sums[class] = dot4(word, table[i * CLASSES + class], sums[class]);
	}

	uint best = 0;
	int greatest = sums[0];
	for (uint class = 1; class < CLASSES; class++) {
		if (sums[class] > greatest) {
			greatest = sums[class];
			best = class;
		}
	}
	classes[image] = (uchar)best;
}
