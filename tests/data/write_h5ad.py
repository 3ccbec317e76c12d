"""Writes the AnnData files of the tests (anndata 0.12.19, h5py, numpy, scipy, pandas)."""

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

anndata.settings.allow_write_nullable_strings = True
CELLS, GENES = 6, 4
x = np.array([[(i * GENES + j) * 0.5 if (i + j) % 2 else 0.0 for j in range(GENES)] for i in range(CELLS)])


def table(**more):
    obs = pd.DataFrame(
        {
            "cluster": pd.Categorical(["b", "a", None, "b", "a", "c"], categories=["a", "b", "c"]),
            "depth": [1.5, 2.5, np.nan, 4.5, 5.5, 6.5],
            "batch": np.array([1, 2, 1, 2, 1, 2], dtype=np.int32),
            "doublet": [True, False, False, True, False, False],
            "note": ["eins", "zwei", "drei", "vier", "", "s\u00e9chs"],
        },
        index=[f"cell{i}" for i in range(CELLS)],
    )
    var = pd.DataFrame({"length": np.arange(GENES) * 100}, index=["Gata1", "Spi1", "Cebpa", "Fli1"])
    return anndata.AnnData(obs=obs, var=var, **more)


# As anndata writes it now: X dense and compressed, columns that can lack values.
a = table(X=x.astype(np.float32))
a.obs["nullable"] = pd.array([1, None, 3, 4, 5, 6], dtype="Int64")
a.obs["switch"] = pd.array([True, None, False, True, True, False], dtype="boolean")
for name in ("batch", "doublet", "cluster", "note"):
    del a.obs[name]
del a.var["length"]
a.write_h5ad("columns.h5ad")
with h5py.File("columns.h5ad", "a") as f:
    attributes = dict(f["X"].attrs)
    del f["X"]
    X = f.create_dataset("X", data=x.astype(np.float32), chunks=(4, 3), compression="gzip", shuffle=True)
    X.attrs.update(attributes)

# Sparse X, without compression.
b = table(X=sp.csr_matrix(x))
b.write_h5ad("sparse.h5ad")


def bare(**more):
    return anndata.AnnData(
        obs=pd.DataFrame(index=[f"cell{i}" for i in range(CELLS)]),
        var=pd.DataFrame(index=["Gata1", "Spi1", "Cebpa", "Fli1"]),
        **more,
    )


c = bare()
c.layers["counts"] = (x * 2).astype(np.int64)
c.layers["csc"] = sp.csc_matrix(x)
c.write_h5ad("layers.h5ad")

d = bare()
d.obsm["X_umap"] = x[:, :2].astype(np.float32)
d.varp["regulates"] = sp.csr_matrix(np.eye(GENES) * 2)
d.varp["dense"] = np.arange(GENES * GENES, dtype=np.float64).reshape(GENES, GENES)
d.write_h5ad("maps.h5ad")

e = bare()
e.layers["whole"] = sp.csr_matrix((x * 2).astype(np.int32))
e.write_h5ad("whole.h5ad", compression="gzip")

# As anndata 0.7 wrote it: categories beside the columns in __categories, to which an attribute of
# the codes refers.
with h5py.File("old.h5ad", "w") as f:
    string = h5py.string_dtype()
    X = f.create_dataset("X", data=x.astype(np.float32), chunks=(4, 3), compression="gzip", shuffle=True)
    X.attrs["encoding-type"] = "array"
    X.attrs["encoding-version"] = "0.2.0"
    obs = f.create_group("obs")
    obs.attrs["encoding-type"] = "dataframe"
    obs.attrs["encoding-version"] = "0.1.0"
    obs.attrs["_index"] = "index"
    obs.attrs["column-order"] = np.array(["cluster", "depth"], dtype=object)
    obs.create_dataset("index", data=[f"cell{i}" for i in range(CELLS)], dtype=string)
    categories = obs.create_group("__categories")
    categories.create_dataset("cluster", data=["a", "b", "c"], dtype=string)
    codes = obs.create_dataset("cluster", data=np.array([1, 0, -1, 1, 0, 2], dtype=np.int8))
    codes.attrs["categories"] = categories["cluster"].ref
    obs.create_dataset("depth", data=np.arange(CELLS) * 1.5)
    var = f.create_group("var")
    var.attrs["encoding-type"] = "dataframe"
    var.attrs["encoding-version"] = "0.1.0"
    var.attrs["_index"] = "_index"
    var.attrs.create("column-order", np.array([], dtype="S1"))
    var.create_dataset("_index", data=np.array([b"Gata1", b"Spi1", b"Cebpa", b"Fli1"]))
    layer = f.create_group("layers/unspliced")
    layer.attrs["encoding-type"] = "csr_matrix"
    layer.attrs["encoding-version"] = "0.1.0"
    layer.attrs["shape"] = np.array(x.shape)
    m = sp.csr_matrix(x)
    for name in ("data", "indices", "indptr"):
        layer.create_dataset(name, data=getattr(m, name))

# As anndata 0.6 wrote it: tables as arrays of records, sparse matrices with h5sparse attributes.
with h5py.File("records.h5ad", "w") as f:
    m = sp.csr_matrix(x.astype(np.float32))
    g = f.create_group("X")
    g.attrs["h5sparse_format"] = "csr"
    g.attrs["h5sparse_shape"] = np.array(x.shape)
    for name in ("data", "indices", "indptr"):
        g.create_dataset(name, data=getattr(m, name))
    obs = np.array([(f"cell{i}".encode(), i % 3, i * 1.5) for i in range(CELLS)],
                   dtype=[("index", "S5"), ("cluster", "i1"), ("depth", "f8")])
    f.create_dataset("obs", data=obs)
    f.create_dataset("var", data=np.array([(g,) for g in (b"Gata1", b"Spi1", b"Cebpa", b"Fli1")], dtype=[("index", "S5")]))
    f.create_dataset("uns/cluster_categories", data=["a", "b", "c"], dtype=h5py.string_dtype())

# A network of three genes in another order than its model has them, with a gene that it lacks.
states = np.array([[3, 1, 9, 2], [1, 1, 9, 1], [0, 0, 9, 0], [4, 2, 9, 0.1], [5, 5, 9, 5]], dtype=np.float32)
n = anndata.AnnData(
    obs=pd.DataFrame(
        {"cell_type": pd.Categorical(["HSC", "HSC", "Ery", None, "Mono"], categories=["HSC", "Ery", "Mono", "none"])},
        index=[f"cell{i}" for i in range(5)],
    ),
    var=pd.DataFrame(index=["c", "a", "z", "b"]),
)
n.layers["Ms"] = sp.csr_matrix(states)
n.layers["holes"] = np.where(states == 9, states, np.nan)
n.obsm["X_umap"] = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 2]], dtype=np.float32)
n.write_h5ad("network.h5ad")
# Unspliced and spliced counts of 40 cells by 5 genes along an induction, smoothed: lines go through
# them. One gene is not spliced in any cell.
rng = np.random.default_rng(5)
cells, gammas = 40, np.array([0.2, 0.5, 0.9, 0.4, 0.7])
t = np.linspace(0, 12, cells)[:, None]
alpha = np.array([4.0, 6.0, 3.0, 5.0, 2.0])
u = alpha * (1 - np.exp(-t))
s = alpha * ((1 - np.exp(-gammas * t)) / gammas + (np.exp(-gammas * t) - np.exp(-t)) / (gammas - 1))
noise = lambda: rng.gamma(20.0, 1 / 20.0, (cells, 5))
u, s = u * noise(), s * noise()
s[:, 4] = 0
counts = anndata.AnnData(
    X=sp.csr_matrix(np.round(s).astype(np.float32)),
    obs=pd.DataFrame({"batch": np.arange(cells) % 2}, index=[f"cell{i}" for i in range(cells)]),
    var=pd.DataFrame(index=["Actb", "Sox2", "Gata1", "Spi1", "Dead"]),
    layers={"Ms": s.astype(np.float32), "Mu": u.astype(np.float32)},
)
counts.write_h5ad("velocity.h5ad")

# A screen: perturbations by genes.
screen = anndata.AnnData(
    X=np.array([[1.0, 0, 2, 1], [2, 1, 0, 1], [0, 3, 1, 1]]),
    obs=pd.DataFrame(index=["control", "two", "four"]),
    var=pd.DataFrame(index=["one", "two", "three", "four"]),
)
screen.write_h5ad("screen.h5ad")
